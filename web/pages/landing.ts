import '../elements/tele-landing.ts';
import { showLanguage } from '../i18n/language.ts';

showLanguage();
